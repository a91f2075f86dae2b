"""What is asked for in the playground."""

from django import forms

from config.fields import plain_text


class TrialForm(forms.Form):
    """A prompt, how many pictures, and where the noise begins."""

    prompt = forms.CharField(
        max_length=2000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "a doctor in an office"}),
        error_messages={"required": "Say what to paint."},
    )
    count = forms.TypedChoiceField(
        choices=[(n, str(n)) for n in (1, 2, 3, 4)], coerce=int, initial=4, label="Pictures"
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**32 - 1 - 4,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": "random", "inputmode": "numeric"}),
    )

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"]
        try:
            return plain_text(" ".join(prompt.split()))
        except ValueError as error:
            raise forms.ValidationError(f"The prompt cannot be used: {error}.") from None
